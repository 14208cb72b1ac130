# The environment prod: a network, Kubernetes, PostgreSQL and Redis in it, and a bucket. The platform comes on top by kustomize or helm.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 6.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "aureole", environment = "prod" }
  }
}

variable "region" {
  description = "Region of everything."
  type        = string
}

variable "admin_cidrs" {
  description = "Networks from which administrators reach the Kubernetes API; none keeps it inside the network."
  type        = list(string)
  default     = []
}

variable "cache_password" {
  description = "Redis's password, as in the file cache.password; in TF_VAR_cache_password, never in a file here."
  type        = string
  sensitive   = true
}

module "network" {
  source           = "../modules/network"
  name             = "aureole-prod"
  cidr             = "10.42.0.0/16"
  zones            = 3
  gateway_per_zone = true
}

module "cluster" {
  source          = "../modules/cluster"
  name            = "aureole-prod"
  subnet_ids      = module.network.private_subnet_ids
  admin_cidrs     = var.admin_cidrs
  steady_count    = 3
  steady_types    = ["m7i.xlarge"]
  workers_min     = 4
  workers_max     = 32
  worker_types    = ["c7i.2xlarge"]
  worker_capacity = "ON_DEMAND"
}

module "database" {
  source         = "../modules/database"
  name           = "aureole-prod"
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.private_subnet_ids
  client_cidr    = module.network.cidr
  instance_class = "db.m7g.large"
  storage_gib    = 100
  standby        = true
  backup_days    = 35
  protect        = true
}

module "cache" {
  source      = "../modules/cache"
  name        = "aureole-prod"
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  client_cidr = module.network.cidr
  password    = var.cache_password
  node_type   = "cache.m7g.large"
  nodes       = 3
}

module "bucket" {
  source          = "../modules/bucket"
  name            = "aureole-prod"
  noncurrent_days = 90
}

output "cluster" {
  description = "Name of the cluster, for `aws eks update-kubeconfig --name`."
  value       = module.cluster.name
}

output "archive" {
  description = "For places.yaml, or the chart's archive.url."
  value       = module.database.url
}

output "archive_administrator_secret" {
  description = "The secret with the password of PostgreSQL's administrator, in Secrets Manager."
  value       = module.database.administrator_secret
}

output "cache" {
  description = "For places.yaml, or the chart's cache.url."
  value       = module.cache.url
}

output "network" {
  description = "For places.yaml, or the chart's services.network."
  value       = module.network.cidr
}

output "bucket" {
  description = "Where backups go."
  value       = module.bucket.name
}

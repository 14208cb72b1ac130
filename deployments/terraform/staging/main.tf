# The environment staging: a network, Kubernetes, PostgreSQL and Redis in it, and a bucket. The platform comes on top by kustomize or helm.

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
    tags = { project = "aureole", environment = "staging" }
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
  name             = "aureole-staging"
  cidr             = "10.41.0.0/16"
  zones            = 3
  gateway_per_zone = false
}

module "cluster" {
  source          = "../modules/cluster"
  name            = "aureole-staging"
  subnet_ids      = module.network.private_subnet_ids
  admin_cidrs     = var.admin_cidrs
  steady_count    = 3
  steady_types    = ["m7i.large"]
  workers_min     = 2
  workers_max     = 4
  worker_types    = ["c7i.xlarge"]
  worker_capacity = "SPOT"
}

module "database" {
  source         = "../modules/database"
  name           = "aureole-staging"
  vpc_id         = module.network.vpc_id
  subnet_ids     = module.network.private_subnet_ids
  client_cidr    = module.network.cidr
  instance_class = "db.t4g.medium"
  storage_gib    = 20
  standby        = false
  backup_days    = 7
  protect        = false
}

module "cache" {
  source      = "../modules/cache"
  name        = "aureole-staging"
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  client_cidr = module.network.cidr
  password    = var.cache_password
  node_type   = "cache.t4g.micro"
  nodes       = 1
}

module "bucket" {
  source          = "../modules/bucket"
  name            = "aureole-staging"
  noncurrent_days = 30
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

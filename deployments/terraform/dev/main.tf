# The environment dev: a network, Kubernetes in it, and a bucket. The platform comes on top by kustomize or helm.
# PostgreSQL and Redis are pods there.

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
    tags = { project = "aureole", environment = "dev" }
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

module "network" {
  source           = "../modules/network"
  name             = "aureole-dev"
  cidr             = "10.40.0.0/16"
  zones            = 2
  gateway_per_zone = false
}

module "cluster" {
  source          = "../modules/cluster"
  name            = "aureole-dev"
  subnet_ids      = module.network.private_subnet_ids
  admin_cidrs     = var.admin_cidrs
  steady_count    = 1
  steady_types    = ["m7i.xlarge"]
  workers_min     = 1
  workers_max     = 2
  worker_types    = ["c7i.large"]
  worker_capacity = "SPOT"
}

module "bucket" {
  source          = "../modules/bucket"
  name            = "aureole-dev"
  noncurrent_days = 7
}

output "cluster" {
  description = "Name of the cluster, for `aws eks update-kubeconfig --name`."
  value       = module.cluster.name
}

output "bucket" {
  description = "Where backups go."
  value       = module.bucket.name
}

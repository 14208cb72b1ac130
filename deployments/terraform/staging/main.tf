# The environment staging: a network and Kubernetes in it. The platform comes on top by kustomize or helm.

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

output "cluster" {
  description = "Name of the cluster, for `aws eks update-kubeconfig --name`."
  value       = module.cluster.name
}

# The environment prod: a network and Kubernetes in it. The platform comes on top by kustomize or helm.

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

output "cluster" {
  description = "Name of the cluster, for `aws eks update-kubeconfig --name`."
  value       = module.cluster.name
}

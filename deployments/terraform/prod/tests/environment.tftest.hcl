# What the environment makes, planned with a provider that asks nobody.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["zone-a", "zone-b", "zone-c"] }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  region         = "eu-central-1"
  cache_password = "0123456789abcdef0123456789abcdef"
}

run "the_environment_plans" {
  command = plan

  assert {
    condition     = output.cluster == "aureole-prod"
    error_message = "the cluster is named after the environment"
  }
  assert {
    condition     = module.network.cidr == "10.42.0.0/16"
    error_message = "the network is the one that kubernetes/prod/places.yaml lets the pods reach"
  }
}

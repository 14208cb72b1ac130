# What the module makes, planned with a provider that asks nobody.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name       = "test"
  subnet_ids = ["subnet-1", "subnet-2", "subnet-3"]
}

run "the_api_stays_inside_unless_administrators_are_named" {
  command = plan

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access == false
    error_message = "nobody outside reaches the API"
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access == true
    error_message = "machines reach the API inside"
  }
}

run "secrets_and_disks_are_encrypted" {
  command = plan

  assert {
    condition     = contains(aws_eks_cluster.this.encryption_config[0].resources, "secrets")
    error_message = "the cluster's secrets are encrypted with the key"
  }
  assert {
    condition     = tobool(aws_launch_template.machine.block_device_mappings[0].ebs[0].encrypted)
    error_message = "the machines' disks are encrypted"
  }
  assert {
    condition     = aws_launch_template.machine.metadata_options[0].http_tokens == "required"
    error_message = "the machines' metadata need a token"
  }
}

run "there_is_a_machine_for_each_coordinator" {
  command = plan

  variables {
    steady_count = 5
  }

  assert {
    condition     = aws_eks_node_group.this["steady"].scaling_config[0].min_size == 5
    error_message = "five coordinators have five machines"
  }
}

run "an_even_number_of_coordinators_is_refused" {
  command = plan

  variables {
    steady_count = 4
  }

  expect_failures = [var.steady_count]
}

run "the_whole_internet_is_no_administrator" {
  command = plan

  variables {
    admin_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.admin_cidrs]
}

run "fewer_workers_at_most_than_at_least_are_refused" {
  command = plan

  variables {
    workers_min = 5
    workers_max = 4
  }

  expect_failures = [var.workers_max]
}

run "one_zone_is_refused" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "another_kind_of_capacity_is_refused" {
  command = plan

  variables {
    worker_capacity = "CHEAP"
  }

  expect_failures = [var.worker_capacity]
}

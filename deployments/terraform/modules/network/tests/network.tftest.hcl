# What the module makes, planned with a provider that asks nobody.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["zone-a", "zone-b", "zone-c"] }
  }
}

variables {
  name = "test"
}

run "each_zone_has_both_subnets_and_its_own_way_out" {
  command = plan

  assert {
    condition     = length(aws_subnet.private) == 3 && length(aws_subnet.public) == 3 && length(aws_nat_gateway.this) == 3
    error_message = "three zones have three subnets of each kind and three ways out"
  }
  assert {
    condition     = length(distinct(concat(aws_subnet.private[*].cidr_block, aws_subnet.public[*].cidr_block))) == 6
    error_message = "no two subnets share addresses"
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "no machine gets a public address by itself"
  }
}

run "zones_share_a_way_out_where_that_is_asked_for" {
  command = plan

  variables {
    gateway_per_zone = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route_table.private) == 3
    error_message = "one way out, a table for each zone"
  }
}

run "a_network_that_is_too_small_is_refused" {
  command = plan

  variables {
    cidr = "10.0.0.0/24"
  }

  expect_failures = [var.cidr]
}

run "a_single_zone_is_refused" {
  command = plan

  variables {
    zones = 1
  }

  expect_failures = [var.zones]
}

# What the module makes, planned with a provider that asks nobody.

mock_provider "aws" {}

variables {
  name        = "test"
  vpc_id      = "vpc-1"
  subnet_ids  = ["subnet-1", "subnet-2"]
  client_cidr = "10.40.0.0/16"
  password    = "0123456789abcdef0123456789abcdef"
}

run "it_asks_for_a_password_and_tls" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "nobody in the clear"
  }
  assert {
    condition     = nonsensitive(aws_elasticache_replication_group.this.auth_token) == "0123456789abcdef0123456789abcdef"
    error_message = "it asks for the password"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == "10.40.0.0/16" && aws_vpc_security_group_ingress_rule.this.to_port == 6379
    error_message = "only its network reaches it"
  }
}

run "another_takes_over" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "two machines, and one takes over"
  }
}

run "one_machine_has_nobody_to_take_over" {
  command = plan

  variables {
    nodes = 1
  }

  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "AWS refuses it with one"
  }
}

run "a_short_password_is_refused" {
  command = plan

  variables {
    password = "swordfish"
  }

  expect_failures = [var.password]
}

run "the_whole_internet_is_no_client" {
  command = plan

  variables {
    client_cidr = "0.0.0.0/0"
  }

  expect_failures = [var.client_cidr]
}

run "no_machine_is_refused" {
  command = plan

  variables {
    nodes = 0
  }

  expect_failures = [var.nodes]
}

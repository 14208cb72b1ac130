# What the module makes, planned with a provider that asks nobody.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name        = "test"
  vpc_id      = "vpc-1"
  subnet_ids  = ["subnet-1", "subnet-2"]
  client_cidr = "10.40.0.0/16"
}

run "nobody_reads_it_on_disk_or_on_the_way" {
  command = plan

  assert {
    condition     = aws_db_instance.this.storage_encrypted
    error_message = "its disk is encrypted"
  }
  assert {
    condition     = contains([for each in aws_db_parameter_group.this.parameter : "${each.name}=${each.value}"], "rds.force_ssl=1")
    error_message = "it refuses connections in the clear"
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible
    error_message = "it has no public address"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == "10.40.0.0/16" && aws_vpc_security_group_ingress_rule.this.to_port == 5432
    error_message = "only the coordinators' network reaches it"
  }
}

run "no_password_is_in_the_state" {
  command = plan

  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "AWS makes the administrator's password"
  }
}

run "it_outlives_a_zone_and_a_mistake" {
  command = plan

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "a standby, protection, and a last snapshot"
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 14
    error_message = "backups of two weeks"
  }
}

run "no_backups_are_refused" {
  command = plan

  variables {
    backup_days = 0
  }

  expect_failures = [var.backup_days]
}

run "the_whole_internet_is_no_client" {
  command = plan

  variables {
    client_cidr = "0.0.0.0/0"
  }

  expect_failures = [var.client_cidr]
}

run "one_zone_is_refused" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "a_disk_that_is_too_small_is_refused" {
  command = plan

  variables {
    storage_gib = 5
  }

  expect_failures = [var.storage_gib]
}

# What the module makes, planned with a provider that asks nobody.

mock_provider "aws" {}

variables {
  name = "test"
}

run "nobody_else_reads_it" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "nothing in it can be made public"
  }
}

run "what_was_deleted_can_be_had" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "it keeps versions"
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 90
    error_message = "for ninety days"
  }
}

run "a_name_that_makes_no_bucket_is_refused" {
  command = plan

  variables {
    name = "Test"
  }

  expect_failures = [var.name]
}

run "versions_of_no_day_are_refused" {
  command = plan

  variables {
    noncurrent_days = 0
  }

  expect_failures = [var.noncurrent_days]
}

output "url" {
  description = "What cache.url is to be."
  value       = "rediss://${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
}

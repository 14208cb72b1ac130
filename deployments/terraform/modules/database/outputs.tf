output "url" {
  description = "What archive.url is to be."
  value       = "postgres://aureole@${aws_db_instance.this.address}:5432/aureole?sslmode=verify-full&sslrootcert=/run/aureole/services/archive.ca.pem"
}

output "administrator_secret" {
  description = "The secret with the administrator's password, in Secrets Manager."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Subnets for machines, one a zone."
  value       = aws_subnet.private[*].id
}

output "public_subnet_ids" {
  description = "Subnets for load balancers, one a zone."
  value       = aws_subnet.public[*].id
}

output "cidr" {
  description = "Its addresses."
  value       = aws_vpc.this.cidr_block
}

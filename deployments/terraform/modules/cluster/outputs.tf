output "name" {
  description = "Name of the cluster, for `aws eks update-kubeconfig --name`."
  value       = aws_eks_cluster.this.name
}

output "endpoint" {
  description = "Address of the Kubernetes API."
  value       = aws_eks_cluster.this.endpoint
}

variable "name" {
  description = "Name of the cluster and of what belongs to it."
  type        = string
}

variable "kubernetes_version" {
  description = "Version of Kubernetes."
  type        = string
  default     = "1.33"
}

variable "subnet_ids" {
  description = "Private subnets, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name subnets of two zones at least."
  }
}

variable "admin_cidrs" {
  description = "Networks from which administrators reach the Kubernetes API; none keeps it inside the network."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.admin_cidrs, "0.0.0.0/0")
    error_message = "admin_cidrs must not be the whole internet."
  }
}

variable "steady_count" {
  description = "Machines for coordinators and gateways: one for each coordinator, which never share one."
  type        = number
  default     = 3

  validation {
    condition     = contains([1, 3, 5, 7], var.steady_count)
    error_message = "steady_count must be 1, 3, 5 or 7: a machine for each coordinator."
  }
}

variable "steady_types" {
  description = "Types of those machines."
  type        = list(string)
  default     = ["m7i.large"]
}

variable "workers_min" {
  description = "Fewest machines for workers."
  type        = number
  default     = 2
}

variable "workers_max" {
  description = "Most machines for workers."
  type        = number
  default     = 4

  validation {
    condition     = var.workers_max >= var.workers_min
    error_message = "workers_max must not be below workers_min."
  }
}

variable "worker_types" {
  description = "Types of machines for workers; proving takes cores, and memory by the circuits' size."
  type        = list(string)
  default     = ["c7i.xlarge"]
}

variable "worker_capacity" {
  description = "ON_DEMAND, or SPOT: a worker that is taken away costs the time of its running proof."
  type        = string
  default     = "ON_DEMAND"

  validation {
    condition     = contains(["ON_DEMAND", "SPOT"], var.worker_capacity)
    error_message = "worker_capacity must be ON_DEMAND or SPOT."
  }
}

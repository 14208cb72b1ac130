variable "name" {
  description = "Name of the cluster that it belongs to."
  type        = string

  validation {
    condition     = length(var.name) <= 34
    error_message = "name must have at most 34 characters: with -cache it is the group's, which has 40."
  }
}

variable "vpc_id" {
  description = "The network it stands in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one a zone."
  type        = list(string)
}

variable "client_cidr" {
  description = "Addresses from which it is reached."
  type        = string

  validation {
    condition     = can(cidrhost(var.client_cidr, 0)) && !endswith(var.client_cidr, "/0")
    error_message = "client_cidr must be an IPv4 network, and not the whole internet."
  }
}

variable "password" {
  description = "Its password, as in the file cache.password: 32 to 128 letters and digits. It is in the state."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{32,128}$", var.password))
    error_message = "password must be 32 to 128 letters and digits, such as openssl rand -hex 32 makes."
  }
}

variable "node_type" {
  description = "Type of its machines."
  type        = string
  default     = "cache.t4g.small"
}

variable "nodes" {
  description = "Machines; with more than one another takes over."
  type        = number
  default     = 2

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6
    error_message = "nodes must be 1 to 6."
  }
}

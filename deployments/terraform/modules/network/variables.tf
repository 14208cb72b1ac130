variable "name" {
  description = "Name of everything here."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network; at most a /20, so that a subnet has room for the pods."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "cidr must be an IPv4 network of /20 or larger, such as 10.40.0.0/16."
  }
}

variable "zones" {
  description = "Zones; three, so that the loss of one leaves a majority of the coordinators."
  type        = number
  default     = 3

  validation {
    condition     = var.zones >= 2 && var.zones <= 8
    error_message = "zones must be 2 to 8."
  }
}

variable "gateway_per_zone" {
  description = "Whether each zone has its own way out."
  type        = bool
  default     = true
}

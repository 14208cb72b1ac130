variable "name" {
  description = "Name of the cluster that it belongs to."
  type        = string
}

variable "vpc_id" {
  description = "The network it stands in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one a zone."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name subnets of two zones at least."
  }
}

variable "client_cidr" {
  description = "Addresses from which it is reached."
  type        = string

  validation {
    condition     = can(cidrhost(var.client_cidr, 0)) && !endswith(var.client_cidr, "/0")
    error_message = "client_cidr must be an IPv4 network, and not the whole internet."
  }
}

variable "engine_version" {
  description = "Version of PostgreSQL; the major one alone follows its minor ones."
  type        = string
  default     = "17"
}

variable "instance_class" {
  description = "Type of its machine."
  type        = string
  default     = "db.t4g.medium"
}

variable "storage_gib" {
  description = "Its disk at first, in GiB; it grows to four times that."
  type        = number
  default     = 20

  validation {
    condition     = var.storage_gib >= 20
    error_message = "storage_gib must be 20 or more."
  }
}

variable "standby" {
  description = "Whether there is a synchronous one in another zone."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "Days that its backups are kept, 1 to 35; to each moment of them it can be put back."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days must be 1 to 35: history without a backup is not offered."
  }
}

variable "protect" {
  description = "Whether it refuses to be destroyed, and leaves a snapshot when it is all the same."
  type        = bool
  default     = true
}

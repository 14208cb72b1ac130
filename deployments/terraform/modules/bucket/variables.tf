variable "name" {
  description = "Name of the cluster that it belongs to."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,35}$", var.name))
    error_message = "name must be 2 to 36 lower-case letters, digits and hyphens: it begins the bucket's."
  }
}

variable "noncurrent_days" {
  description = "Days that what was replaced or deleted can still be had."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days must be 1 or more."
  }
}

variable "project" {
  description = "Google Cloud project that is to own all of it."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket; bucket names are the world's."
  type        = string
}

variable "location" {
  description = "Where the bucket lies, and the dataset, as EU or europe-west6. The default is Google's own."
  type        = string
  default     = "US"
}

variable "account" {
  description = "Name of the service account that taxietl runs as: the part before the @."
  type        = string
  default     = "taxietl"
}

variable "dataset" {
  description = "Name of a BigQuery dataset to make. Default none."
  type        = string
  default     = null
}

# The bucket that `taxietl lake create-bucket` makes, an account that may write to it, and, if
# wanted, a BigQuery dataset beside it. See docs/lake.md, "With Terraform".

terraform {
  required_version = ">= 1.3"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0, < 8.0"
    }
  }
}

provider "google" {
  project = var.project
}

resource "google_storage_bucket" "lake" {
  name     = var.bucket
  location = var.location

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  # Only versions that were replaced or deleted, never a month itself.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = 90
      send_age_if_zero           = false
    }
  }
}

resource "google_service_account" "taxietl" {
  account_id   = var.account
  display_name = "taxietl, writes to gs://${var.bucket}"
}

resource "google_storage_bucket_iam_member" "objects" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.taxietl.member
}

resource "google_bigquery_dataset" "trips" {
  count = var.dataset == null ? 0 : 1

  dataset_id = var.dataset
  location   = google_storage_bucket.lake.location
}

resource "google_bigquery_dataset_iam_member" "data" {
  count = var.dataset == null ? 0 : 1

  dataset_id = google_bigquery_dataset.trips[0].dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.taxietl.member
}

# Jobs belong to a project: there is no narrower place for this role.
resource "google_project_iam_member" "jobs" {
  count = var.dataset == null ? 0 : 1

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.taxietl.member
}

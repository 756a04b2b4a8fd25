output "bucket" {
  description = "For `bucket` in the profile."
  value       = google_storage_bucket.lake.name
}

output "account" {
  description = "Whose key or impersonation taxietl needs. No key is made here: it would lie in the state."
  value       = google_service_account.taxietl.email
}

output "dataset" {
  description = "For `dataset` in a profile of type bigquery; null if none was asked for."
  value       = one(google_bigquery_dataset.trips[*].dataset_id)
}

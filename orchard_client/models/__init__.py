"""What the API answers, as typed values. Fields that only a newer server sends are left out."""

"""What several rooms of the tests share: records, people, pages read as a browser would, servers and browsers."""

-- Ends wrk's output with one line of JSON, in seconds; only answers below 400 count as requests.

done = function(summary, latency, requests)
  local refused = summary.errors.status
  io.write(string.format(
    '{"requests_per_second": %.2f, "p50": %.6f, "p95": %.6f, "p99": %.6f, "refused": %d, "unanswered": %d}\n',
    (summary.requests - refused) / (summary.duration / 1e6),
    latency:percentile(50) / 1e6,
    latency:percentile(95) / 1e6,
    latency:percentile(99) / 1e6,
    refused,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  ))
end

-- Ends wrk's output with one line of JSON; wrk measures in microseconds, the line is in seconds.

done = function(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout
  io.write(string.format(
    '{"requests_per_second": %.2f, "p50": %.6f, "p90": %.6f, "p99": %.6f, "errors": %d}\n',
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e6,
    latency:percentile(90) / 1e6,
    latency:percentile(99) / 1e6,
    errors
  ))
end

-- Asks for many pages in turn: wrk -s pages.lua URL -- FILE, one path a line. Requests are made before the clock starts.
local count = 0

function setup(thread)
   thread:set("place", count)
   count = count + 1
end

function init(args)
   requests = {}
   for path in io.lines(args[1]) do
      requests[#requests + 1] = wrk.format("GET", path)
   end
   at = place * 311 % #requests
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format('{"requests": %d, "s": %.6f, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n', summary.requests,
      summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end

-- For wrk: posts each line of a file once, as JSON. If there are too few, the last one is sent again
-- and refused, which the bench notices.
--
--   wrk ... -s bodies.lua <url> -- <file>
local requests, sent = {}, 0

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
end

function request()
  sent = math.min(sent + 1, #requests)
  return requests[sent]
end

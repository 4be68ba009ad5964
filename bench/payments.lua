-- For wrk: posts with each line of a file once, as the payment of a request. If there are too few,
-- the last one is sent again and refused, which the bench notices.
--
--   wrk ... -s payments.lua <url> -- <file>
local requests, sent = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local headers = { ["Content-Type"] = "application/json", ["PAYMENT-SIGNATURE"] = line }
    requests[#requests + 1] = wrk.format("POST", nil, headers, "{}")
  end
end

function request()
  sent = math.min(sent + 1, #requests)
  return requests[sent]
end

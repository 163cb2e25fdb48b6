-- Who may come in: certificate, API key and address have to agree, as in tillmesh.hub.web.store_calls.
-- Keys are known here by their hashes only. Both lists are sorted hex without separators, written in by tillmesh:
-- of a key its hash (64 characters) and the serial number of its certificate (40), of a certificate its serial number.
local KEYS = "@KEYS@"
local CERTIFICATES = "@CERTIFICATES@"
local SALT = "tillmesh api key v1\0"
local KEY_CHARS_MAX = 200

local band, bnot, bor, bxor = bit.band, bit.bnot, bit.bor, bit.bxor
local lshift, rshift, ror, tobit, tohex = bit.lshift, bit.rshift, bit.ror, bit.tobit, bit.tohex

local ROUND = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
local START = {
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
}

local function schedule(text, at)
  local w = {}
  for i = 1, 16 do
    local a, b, c, d = text:byte(at + 4 * i - 4, at + 4 * i - 1)
    w[i] = bor(lshift(a, 24), lshift(b, 16), lshift(c, 8), d)
  end
  for i = 17, 64 do
    local x, y = w[i - 15], w[i - 2]
    local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
  end
  return w
end

local function compress(state, w)
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 1, 64 do
    local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
    local t1 = tobit(h + s1 + bxor(band(e, f), band(bnot(e), g)) + ROUND[i] + w[i])
    local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
    local t2 = tobit(s0 + bxor(band(a, b), band(a, c), band(b, c)))
    a, b, c, d, e, f, g, h = tobit(t1 + t2), a, b, c, tobit(d + t1), e, f, g
  end
  for i, word in ipairs({ a, b, c, d, e, f, g, h }) do
    state[i] = tobit(state[i] + word)
  end
end

-- FIPS 180-4, for texts shorter than 8 KiB.
local function sha256(text)
  local bits = #text * 8
  local length = string.char(rshift(bits, 8), band(bits, 255))
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. ("\0"):rep(6) .. length
  local state = { unpack(START) }
  for at = 1, #padded, 64 do
    compress(state, schedule(padded, at))
  end
  local hex = {}
  for i, word in ipairs(state) do
    hex[i] = tohex(word)
  end
  return table.concat(hex)
end

-- Find the record that begins with what is sought, and give the rest of it; nil if there is none.
local function find(records, width, sought)
  local low, high = 0, #records / width - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local at = middle * width
    local found = records:sub(at + 1, at + #sought)
    if found == sought then
      return records:sub(at + #sought + 1, at + width)
    elseif found < sought then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return nil
end

local function refuse(handle, status, kind, title, detail, hint)
  handle:streamInfo():dynamicMetadata():set("tillmesh", "refused", kind)
  handle:respond(
    { [":status"] = tostring(status), ["content-type"] = "application/problem+json" },
    string.format(
      '{"type":"https://tillmesh.org/problems/%s","kind":"%s","title":"%s","status":%d,"detail":"%s","hint":"%s"}',
      kind, kind, title, status, detail, hint
    )
  )
end

function envoy_on_request(handle)
  local peer = handle:streamInfo():downstreamSslConnection()
  local headers = handle:headers()
  local serial = peer:serialNumberPeerCertificate():lower()
  serial = ("0"):rep(40 - #serial) .. serial
  local store = (peer:uriSanPeerCertificate()[1] or ""):match("^pos://hub/([0-9a-z]+)$")
  if store == nil or find(CERTIFICATES, 40, serial) == nil then
    return refuse(handle, 403, "certificate-refused", "Head office does not know this store",
      "a certificate that is unknown here or was revoked", "Issue the store a new one.")
  end
  local key = headers:get("x-api-key") or ""
  local owner = #key <= KEY_CHARS_MAX and find(KEYS, 104, sha256(SALT .. key)) or nil
  if owner == nil then
    return refuse(handle, 401, "key-refused", "Head office does not know this key",
      "an API key that is unknown or revoked", "Issue the store a new one.")
  end
  if owner ~= serial then
    return refuse(handle, 403, "not-allowed", "Needs approval",
      "this API key belongs to another certificate", "Use the key that came with it.")
  end
  local asked = (headers:get(":path") or ""):match("^/api/v1/stores/([^/?]+)")
  if asked ~= nil and asked ~= store then
    return refuse(handle, 403, "not-allowed", "Needs approval",
      store .. " asks for another store's data", "A store has its own address.")
  end
  handle:streamInfo():dynamicMetadata():set("tillmesh", "store", store)
end

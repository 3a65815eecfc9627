/**
 * The decision of `gcra.ts` in one call. Time is the server's own, so replicas with different clocks share one
 * limit. The number kept is below 2^53, exact in Lua's doubles; `%.0f` keeps Redis from writing it as 1.6e+15.
 *
 * KEYS[1] key; ARGV[1] interval and ARGV[2] burst, in microseconds. Answers allowed, remaining, retry, reset.
 */
export const GCRA_LUA = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval = tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1]) or '0')
if due < now then due = now end
local ahead = due + interval - now
if ahead > burst then
  return {0, 0, math.ceil((ahead - burst) / 1000), math.ceil((due - now) / 1000)}
end
redis.call('SET', KEYS[1], string.format('%.0f', due + interval), 'PX', math.ceil(ahead / 1000))
return {1, math.floor((burst - ahead) / interval), 0, math.ceil(ahead / 1000)}
`

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { Sealed } from '#core/sealed'
import { connectRedis } from './redis-connection.ts'

const INFO = 'redis_version:8.0.0\r\nloading:0\r\n'

it('leaves a connection whose server fell silent, so that nothing waits for it or piles up', async () => {
  let silent = false
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      if (silent) return
      for (const [, command] of bytes.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const isInfo = command?.toLowerCase() === 'info'
        socket.write(isInfo ? `$${INFO.length}\r\n${INFO}\r\n` : '+OK\r\n')
      }
    })
    socket.on('error', () => undefined)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const password = Sealed.of('')
  const address = { host: '127.0.0.1', port, username: '', password, ca: undefined }
  const redis = connectRedis(address, () => undefined)
  try {
    await once(redis, 'ready')
    silent = true
    const left = new Promise((resolve) => redis.once('close', resolve))
    await expect(redis.get('x')).rejects.toThrow('timed out')
    await left
    expect(redis.status).not.toBe('ready')
  } finally {
    redis.disconnect()
    server.close()
  }
})

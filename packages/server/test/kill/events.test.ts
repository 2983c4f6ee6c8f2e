/** Listeners over the death of the service: a real process, killed while it works, and the client that goes on by itself. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect, passwordLogin, type StreamedEvent } from '@zund/client'
import { OBEDIENT } from '../support/api-client.ts'
import { ZundProcess } from '../support/zund-process.ts'

let zund: ZundProcess
before(async () => {
  zund = await ZundProcess.start()
})
after(() => zund.destroy())

test('who listens misses nothing when the service is killed, and hears nothing twice', {
  timeout: 120_000,
}, async () => {
  const auth = passwordLogin({ authUrl: `${zund.baseUrl}/identity`, ...zund.credentials('zund') })
  const client = await connect({ auth })
  const heard: StreamedEvent[] = []
  const stop = new AbortController()
  const events = client.listenEvents({}, { signal: stop.signal })
  const until = async (isLast: (event: StreamedEvent) => boolean): Promise<void> => {
    for (;;) {
      const { value } = await events.next()
      assert.ok(value)
      heard.push(value)
      if (isLast(value)) return
    }
  }
  await until(({ type }) => type === 'ready')
  const body = { image: 'busybox', image_pull_policy: 'never', command: OBEDIENT } as const
  const { uuid } = await client.createContainer({ query: { run: true }, body })
  await until(({ type }) => type === 'action.started')
  await zund.kill()
  await zund.up()
  await until((event) => event.type === 'container.status_changed' && event.status === 'Running')
  await zund.stop()
  await zund.up()
  await client.deleteContainer({ ident: uuid, query: { stop: true } })
  await until(({ type }) => type === 'container.deleted')

  const all: StreamedEvent[] = []
  const query = { last_event_id: heard[0]?.id ?? '', timeout: 0 }
  for await (const event of client.listenEvents({ query })) all.push(event)
  assert.deepEqual(heard, all)
  stop.abort(new Error('enough'))
  await assert.rejects(events.next(), /enough/)
})

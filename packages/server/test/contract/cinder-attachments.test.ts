/** Which attachments of Cinder a host takes for its own; what they do is tried against a real one (test/openstack). */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import type { OpenStackAnswer, OpenStackCall } from '../../src/adapters/openstack/call.ts'
import { Cinder } from '../../src/adapters/openstack/cinder.ts'
import { isRecord } from '../../src/adapters/openstack/json.ts'
import { Attachments } from '../../src/adapters/volume/cinder/attachments.ts'

const o = { signal: AbortSignal.timeout(30_000) }
const [VOLUME, HOLDER] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']

interface Made {
  readonly id: string
  readonly host: string | null
  status: string
}

/** As Cinder shows them: without a word about the host. */
class FakeAttachments {
  readonly made = new Map<string, Made>()
  #serial = 0

  add(host: string | null, status = 'attaching'): string {
    this.#serial += 1
    const id = `attachment-${this.#serial}`
    this.made.set(id, { id, host, status })
    return id
  }

  async json<T>({ method, path, body }: OpenStackCall): Promise<OpenStackAnswer<T>> {
    // Whoever asks has to look at it.
    return { status: 200, headers: {}, body: this.#answer(method, path, body) as T }
  }

  async stream(): Promise<never> {
    throw new Error('nothing of Cinder is a stream')
  }

  #answer(method: string, path: string, body: unknown): unknown {
    if (path.startsWith('/volumes/')) {
      return { volume: { id: VOLUME, status: this.made.size > 0 ? 'in-use' : 'available', size: 1 } }
    }
    if (method === 'GET') return { attachments: [...this.made.values()].map(shown) }
    if (method === 'DELETE') return void this.made.delete(path.split('/').at(-1) ?? '')
    assert.ok(method === 'POST' && isRecord(body) && isRecord(body['attachment']))
    const { connector } = body['attachment']
    const id = this.add(isRecord(connector) ? String(connector['host']) : null)
    return { attachment: shown(this.made.get(id) ?? assert.fail()) }
  }
}

function shown({ id, status, host }: Made) {
  const connection = host === null ? {} : { driver_volume_type: 'nfs', data: { export: `for-${host}` } }
  return { id, status, instance: HOLDER, volume_id: VOLUME, connection_info: connection }
}

let cinder: FakeAttachments
let attachments: Attachments

beforeEach(() => {
  cinder = new FakeAttachments()
  attachments = new Attachments({
    cinder: new Cinder(cinder),
    clock: new VirtualClock(),
    properties: async () => ({ host: 'here' }),
    availableTimeoutMs: 1_000,
    deletedTimeoutMs: 1_000,
  })
})

test('what is written down is used again, and nothing is made twice', async () => {
  const first = await attachments.obtain(VOLUME, HOLDER, null, o)
  assert.equal(first.connection.data['export'], 'for-here')
  assert.deepEqual(await attachments.obtain(VOLUME, HOLDER, first.attachmentId, o), first)
  assert.equal(cinder.made.size, 1)
})

test('an attachment of the host that the container was on before is given back, and not used', async () => {
  const there = cinder.add('there', 'attached')
  const { attachmentId, connection } = await attachments.obtain(VOLUME, HOLDER, null, o)
  assert.equal(connection.data['export'], 'for-here')
  assert.deepEqual([...cinder.made.keys()], [attachmentId])
  assert.notEqual(attachmentId, there)
})

test('so is one that was made and not written down, one without a connection, and one that came to nothing', async () => {
  for (const [host, status, isKnown] of [
    ['here', 'attaching', false],
    [null, 'reserved', true],
    ['here', 'error_attaching', true],
  ] as const) {
    const before = cinder.add(host, status)
    const { attachmentId } = await attachments.obtain(VOLUME, HOLDER, isKnown ? before : null, o)
    assert.deepEqual([...cinder.made.keys()], [attachmentId], status)
    cinder.made.clear()
  }
})

test('a volume is taken from a host when its holder has it by another attachment, on another host', async () => {
  const here = cinder.add('here', 'attached')
  const known = [{ holder: HOLDER, attachmentId: here }]
  assert.equal(await attachments.isTaken(VOLUME, known, o), false)
  cinder.made.clear()
  cinder.add('there', 'attached')
  assert.equal(await attachments.isTaken(VOLUME, known, o), true)
})

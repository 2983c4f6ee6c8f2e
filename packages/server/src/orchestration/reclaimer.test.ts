import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reclaimer } from './reclaimer.ts'
import type { Advance } from './ports/advances.ts'

/** What `reclaim` does with notes that are due. */
async function reclaimed(
  due: readonly Advance[],
  { inWork = [], stuck = [] }: { inWork?: readonly string[]; stuck?: readonly string[] },
): Promise<{ removed: string[]; forgotten: string[] }> {
  const removed: string[] = []
  const forgotten: string[] = []
  const remove = async (uuid: string): Promise<void> => {
    if (stuck.includes(uuid)) throw new Error('it is still in the making')
    removed.push(uuid)
  }
  const reclaimer = new Reclaimer({
    store: {
      advances: { due: async () => [...due] },
      operations: { unfinished: async () => inWork.map((imageUuid) => ({ params: { imageUuid } })) },
    },
    forget: async (uuid) => forgotten.push(uuid),
    clock: { now: () => 0, sleep: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    remove: { volume: remove, image: remove },
  })
  await reclaimer.round()
  return { removed, forgotten }
}

const volume = (uuid: string): Advance => ({ uuid, kind: 'volume', containerUuid: null })
const image = (uuid: string): Advance => ({ uuid, kind: 'image', containerUuid: 'container' })

test('what no request came of is removed, then its note; what cannot be yet keeps both, and not the others', async () => {
  assert.deepEqual(await reclaimed([volume('a'), volume('b'), volume('c')], { stuck: ['b'] }), {
    removed: ['a', 'c'],
    forgotten: ['a', 'c'],
  })
})

test('an image stays as long as an operation works at it', async () => {
  const result = await reclaimed([image('a'), image('b')], { inWork: ['a'] })
  assert.deepEqual(result, { removed: ['b'], forgotten: ['b'] })
})

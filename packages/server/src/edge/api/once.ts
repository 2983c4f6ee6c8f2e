import { createHash } from 'node:crypto'
import { IDEMPOTENCY_KEY, REPLAYED_HEADER } from '@zund/contract/api/requests/idempotency.ts'
import type { Once } from '../../app/once.ts'
import type { Call } from './route.ts'

/** undefined: the client did not say that it may send it again. */
export function onceOf({ ctx, query, body, declared }: Call, path: string): Once | undefined {
  const key = declared[IDEMPOTENCY_KEY]
  if (key === undefined) return undefined
  const request = JSON.stringify([ctx.minor, path, query, body])
  return { key, requestHash: createHash('sha256').update(request).digest('hex') }
}

export function replayed(isReplay: boolean): Readonly<Record<string, string>> {
  return isReplay ? { [REPLAYED_HEADER]: 'true' } : {}
}

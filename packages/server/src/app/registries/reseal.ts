import { SystemFault } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { Store } from '../../orchestration/ports/store.ts'
import type { Secrets } from '../ports/secrets.ts'

/**
 * At each start: what an older key has sealed is sealed with the first one, after which the older one can be taken away.
 * What no key opens stays as it is, and is told: the key may come back.
 */
export async function resealPasswords(store: Store, secrets: Secrets, log: Logger): Promise<void> {
  const registries = await store.registries.list({ kind: 'all' })
  const old = registries.filter(({ sealedPassword }) => sealedPassword !== null && !secrets.isCurrent(sealedPassword))
  if (old.length === 0) return
  const { resealed, unreadable } = await store.write(async (tx) => {
    const found = { resealed: 0, unreadable: new Array<string>() }
    for (const { uuid } of old) {
      const now = await tx.registries.byUuid(uuid, { kind: 'all' })
      if (now === undefined || now.sealedPassword === null) continue
      const password = opened(secrets, now.sealedPassword, uuid)
      if (password === undefined) found.unreadable.push(uuid)
      else if (await tx.registries.update(uuid, { sealedPassword: secrets.seal(password, uuid) })) found.resealed += 1
    }
    return found
  })
  if (resealed > 0) log.info({ resealed }, 'registry passwords sealed with the first key')
  if (unreadable.length > 0) log.error({ registryIds: unreadable }, 'registry passwords without their key')
}

function opened(secrets: Secrets, sealed: string, owner: string): string | undefined {
  try {
    return secrets.open(sealed, owner)
  } catch (error) {
    if (error instanceof SystemFault) return undefined
    throw error
  }
}

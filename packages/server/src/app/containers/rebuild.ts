import { InvalidInput } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import { acceptOn } from './act.ts'
import { requireImage } from './create.ts'
import type { ContainerDeps } from './deps.ts'
import { shown } from '../fields.ts'
import { holdAgain } from '../hosts/hold-more.ts'
import { findAuthorized, requireStatus } from './find.ts'

/** A new engine container, from a new image if one is named; it is started if it ran when asked. */
export async function rebuildContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  change: { readonly image: string | undefined; readonly imageDriver: string | undefined },
): Promise<void> {
  const found = await findAuthorized(deps, ctx, ident, 'container:rebuild')
  requireStatus(found, 'rebuild')
  const spec = {
    ...found.spec,
    image: change.image ?? found.spec.image,
    imageDriver:
      change.imageDriver === undefined
        ? found.spec.imageDriver
        : configuredDriver(change.imageDriver, deps.options.imageDrivers),
  }
  const isOther = change.image !== undefined || spec.imageDriver !== found.spec.imageDriver
  const imageId = isOther ? await requireImage(deps, ctx, spec, found.projectId) : found.spec.imageId
  await acceptOn(deps, ctx, found, 'rebuild', async (tx, now) => ({
    verb: 'rebuild',
    params: { run: now.status === 'Running' },
    patch: {
      spec: { ...now.spec, image: spec.image, imageDriver: spec.imageDriver, imageId: imageId ?? null },
      allocation: await holdAgain(tx, now, deps.options),
    },
  }))
}

/** Here, unlike in a create, it is no schema that knows the drivers (containers 8). */
function configuredDriver(driver: string, available: readonly string[]): string {
  if (available.includes(driver)) return driver
  throw new InvalidInput(`Image driver '${shown(driver)}' is not one of ${available.join(', ')}.`, 'validation-error')
}

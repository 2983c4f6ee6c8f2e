import type { GlanceImage } from '../../openstack/glance.ts'

/** Why no container can be made of it; undefined: one can. */
export function whyUnusable({ containerFormat, status }: GlanceImage): string | undefined {
  if (containerFormat !== CONTAINER_FORMAT) {
    return `its container format is ${containerFormat ?? 'not set'}, and not ${CONTAINER_FORMAT}`
  }
  if (status !== 'active') return `its status is ${status}, and not active`
  return undefined
}

/** Of archives that an engine has saved. */
export const CONTAINER_FORMAT = 'docker'

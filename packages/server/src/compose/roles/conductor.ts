/** `zund conductor`: what is done for the deployment as a whole, where the API's processes are told to leave it. */
import { composeCloud } from '../cloud.ts'
import { composeConductor } from '../conductor.ts'
import type { RoleDeps } from './role.ts'
import { joinControlPlane } from './shared-control-plane.ts'

export async function startConductor(deps: RoleDeps): Promise<void> {
  const { config, log, life } = deps
  const parts = await joinControlPlane('conductor', deps)
  const cloud = composeCloud(config, life, log)
  life.onStop(() => cloud?.close())
  await life.start(...composeConductor({ ...parts, config, log, cloud }))
}

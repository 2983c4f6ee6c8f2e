/** `zund conductor`: what is done for the deployment as a whole, where the API's processes are told to leave it. */
import { composeConductor } from '../conductor.ts'
import type { RoleDeps } from './role.ts'
import { joinControlPlane } from './shared-control-plane.ts'

export async function startConductor(deps: RoleDeps): Promise<void> {
  const parts = await joinControlPlane('conductor', deps)
  await deps.life.start(...composeConductor({ ...parts, config: deps.config, log: deps.log }))
}

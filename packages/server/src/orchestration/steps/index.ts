import type { StepName } from '../../domain/operation/recipes.ts'
import { attachCapsuleVolumes, detachCapsuleVolumes } from './capsule/volumes.ts'
import { obtainMemberImages } from './capsule/images.ts'
import { runInitMembers } from './capsule/init-members.ts'
import { rejoinMembers } from './capsule/rejoin.ts'
import { removeMembers } from './capsule/remove.ts'
import { startMembers } from './capsule/start-members.ts'
import { claimResources, releaseResources } from './resources.ts'
import { commitContainer } from './commit-container.ts'
import { createContainer } from './create-container.ts'
import { obtainImage } from './image.ts'
import { connectNetworks, disconnectNetworks, prepareNetworks, releaseNetworks } from './networks.ts'
import { bindPorts, changeSecurityGroup } from './remote-ports.ts'
import { removeContainer, removeOldContainer } from './remove-container.ts'
import {
  killContainer,
  pauseContainer,
  restartContainer,
  startContainer,
  stopContainer,
  unpauseContainer,
} from './run-state.ts'
import type { Step } from './step.ts'
import { uploadSnapshot } from './upload-snapshot.ts'
import { updateContainer } from './update-container.ts'
import { attachVolumes, detachVolumes } from './volumes.ts'

export const STEPS: Readonly<Record<StepName, Step>> = {
  attachVolumes,
  obtainImage,
  prepareNetworks,
  createContainer,
  connectNetworks,
  startContainer,
  stopContainer,
  restartContainer,
  pauseContainer,
  unpauseContainer,
  killContainer,
  removeOldContainer,
  removeContainer,
  disconnectNetworks,
  releaseNetworks,
  detachVolumes,
  commitContainer,
  uploadSnapshot,
  updateContainer,
  attachCapsuleVolumes,
  obtainMemberImages,
  runInitMembers,
  startMembers,
  rejoinMembers,
  removeMembers,
  detachCapsuleVolumes,
  bindPorts,
  changeSecurityGroup,
  claimResources,
  releaseResources,
}

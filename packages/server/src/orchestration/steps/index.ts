import type { StepName } from '../../domain/operation/recipes.ts'
import { commitContainer } from './commit-container.ts'
import { createContainer } from './create-container.ts'
import { obtainImage } from './image.ts'
import { connectNetworks, disconnectNetworks, prepareNetworks, releaseNetworks } from './networks.ts'
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
  updateContainer,
}

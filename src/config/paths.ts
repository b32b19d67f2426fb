/** Where relative paths of a configuration begin: in the folder of the file in which they stand. */
import { dirname, isAbsolute, resolve } from 'node:path'
import { isHandedOver } from '../system/read-file.js'

/** The folder of a configuration's file; of one that a shell hands over, the working directory. */
export function folderOf(file: string): string {
  return isHandedOver(file) ? process.cwd() : resolve(dirname(file))
}

/** The whole path; one that is whole already stays as it is written. */
export function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}

/** The same of a program; a bare name is one that is looked up. */
export function commandFrom(folder: string, command: string): string {
  return command.includes('/') ? pathFrom(folder, command) : command
}

// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Pebble

@main
struct PebbleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pebble",
    abstract: "Runs shell commands in a pool of processes that can be killed, and watches such pools.",
    version: pebbleVersion,
    subcommands: [Run.self, Top.self])
}

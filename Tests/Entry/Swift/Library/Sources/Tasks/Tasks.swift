// SPDX-License-Identifier: Apache-2.0
@_exported public import Pebble

private let factor = ["one": 1, "three": 3]

/// A task of the library, with a global of its own.
public let tripled = ProcessFunction(triple, name: "tripled") { ProcessCall($0).run(triple) }

private func triple(_ number: Int) -> Int { number * (factor["three"] ?? 0) }

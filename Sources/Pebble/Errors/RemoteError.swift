// SPDX-License-Identifier: Apache-2.0

/// An error that a job threw and that cannot come back as itself, because it is not `Codable` or its type has no name
/// outside of its scope (private, local).
public struct RemoteError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The full name of the error's type.
  public let typeName: String
  /// How the error described itself.
  public let description: String
}

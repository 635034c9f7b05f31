// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0
// Built by run.sh, which says where Pebble is: a package that depends on it with the traits that are off by default,
// and on others that it is to get along with.
import PackageDescription

let pebble = Context.environment["CONSUMER_PEBBLE"] ?? "../../.."

let package = Package(
  name: "consumer",
  dependencies: [
    .package(name: "pebble", path: pebble, traits: ["Logging", "Metrics", "Tracing", "ServiceLifecycle"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
  ],
  targets: [
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        .product(name: "Pebble", package: "pebble"),
        .product(name: "InMemoryLogging", package: "swift-log"),
        .product(name: "MetricsTestKit", package: "swift-metrics"),
        .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]
    )
  ],
  swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.2
import PackageDescription

/// Imports run one way, from the top of this list to the bottom: see Documentation/architecture.md.
let package = Package(
  name: "swift-diffusion-engine",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "TensorCore", targets: ["TensorCore"]),
    .library(name: "TensorLayers", targets: ["TensorLayers"]),
    .library(name: "TensorCheckpoints", targets: ["TensorCheckpoints"]),
    .library(name: "Diffusion", targets: ["Diffusion"]),
    .library(name: "DiffusionModels", targets: ["DiffusionModels"]),
    .library(name: "DiffusionTraining", targets: ["DiffusionTraining"]),
    .library(name: "DiffusionImages", targets: ["DiffusionImages"]),
    .library(name: "TextTokenizer", targets: ["TextTokenizer"]),
    .library(name: "DiffusionPipelines", targets: ["DiffusionPipelines"]),
    .executable(name: "diffusion", targets: ["DiffusionCLI"]),
    .executable(name: "bench", targets: ["bench"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", path: "Modules/COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CLAPACKE", path: "Modules/CLAPACKE", pkgConfig: "lapacke",
      providers: [.apt(["liblapacke-dev"]), .brew(["lapack"])]),
    .systemLibrary(
      name: "CPNG", path: "Modules/CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CJPEG", path: "Modules/CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CWebP", path: "Modules/CWebP", pkgConfig: "libwebp",
      providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .systemLibrary(
      name: "CZlib", path: "Modules/CZlib", pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

    .target(name: "CTensorKernels"),
    .target(name: "TensorCore", dependencies: ["COpenBLAS", "CLAPACKE", "CTensorKernels"]),
    .target(name: "TensorLayers", dependencies: ["TensorCore"]),
    .target(name: "TensorCheckpoints", dependencies: ["TensorCore", "CZlib"]),
    .target(name: "Diffusion", dependencies: ["TensorCore"]),
    .target(name: "FileFormats", dependencies: ["CZlib"]),
    .target(name: "TextTokenizer", dependencies: ["FileFormats"]),
    .target(name: "DiffusionImages", dependencies: ["CPNG", "CJPEG", "CWebP", "CZlib"]),
    .target(
      name: "DiffusionModels",
      dependencies: ["TensorCore", "TensorLayers", "TensorCheckpoints", "Diffusion"]),
    .target(
      name: "DiffusionTraining",
      dependencies: [
        "TensorCore", "TensorLayers", "TensorCheckpoints", "Diffusion", "DiffusionModels",
        "DiffusionImages", "FileFormats",
      ]),
    .target(
      name: "DiffusionPipelines",
      dependencies: [
        "TensorCore", "TensorLayers", "TensorCheckpoints", "Diffusion", "DiffusionModels",
        "DiffusionImages", "TextTokenizer",
      ],
      resources: [
        .copy("Resources/mnist.safetensors"), .copy("Resources/mnist.json"),
        .copy("Resources/mnist-card.md"), .copy("Resources/mnist-loss.svg"),
        .copy("Resources/bpe_simple_vocab_16e6.txt.gz"),
        .copy("Resources/bpe_simple_vocab_16e6-license.txt"),
      ]),
    .executableTarget(
      name: "DiffusionCLI",
      dependencies: [
        "DiffusionPipelines", "DiffusionTraining", "TextTokenizer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(
      name: "SolverOrder", dependencies: ["TensorCore", "Diffusion"],
      path: "Benchmarks/SolverOrder"),
    .executableTarget(
      name: "bench",
      dependencies: [
        "DiffusionTraining", "SolverOrder", "COpenBLAS",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/bench"),

    .target(
      name: "TestSupport", dependencies: ["TensorCore", "TensorCheckpoints"],
      path: "Tests/TestSupport"),
    .target(
      name: "KernelChecks", dependencies: ["CTensorKernels"], path: "Tests/KernelChecks"),
    .testTarget(
      name: "TensorCoreTests",
      dependencies: ["TensorCore", "TensorCheckpoints", "TestSupport", "KernelChecks"]),
    .testTarget(name: "TensorLayersTests", dependencies: ["TensorLayers", "TestSupport"]),
    .testTarget(
      name: "TensorCheckpointsTests", dependencies: ["TensorCheckpoints", "TestSupport"]),
    .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "SolverOrder", "TestSupport"]),
    .testTarget(
      name: "DiffusionModelsTests",
      dependencies: ["DiffusionModels", "DiffusionImages", "TestSupport"]),
    .testTarget(
      name: "DiffusionTrainingTests", dependencies: ["DiffusionTraining", "TestSupport"]),
    .testTarget(
      name: "TextTokenizerTests",
      dependencies: ["TextTokenizer", "FileFormats", "TensorCheckpoints", "TestSupport"]),
    .testTarget(name: "DiffusionImagesTests", dependencies: ["DiffusionImages", "TestSupport"]),
    .testTarget(
      name: "DiffusionPipelinesTests", dependencies: ["DiffusionPipelines", "TestSupport"]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "TestSupport", "DiffusionImages", "DiffusionTraining", "TensorCheckpoints", "DiffusionCLI",
        "bench",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

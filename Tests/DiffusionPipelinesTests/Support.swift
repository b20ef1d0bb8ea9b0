import Diffusion
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport

/// Small models with PyTorch's initialisation after `manual_seed(0)`.
enum SmallModel {
  /// The U-Net of the fast tests of diffusers' DDPM and DDIM pipelines.
  static var structure: UNetConfiguration {
    var structure = UNetConfiguration()
    structure.blockOutChannels = [4, 8]
    structure.layersPerBlock = 1
    structure.normNumGroups = 4
    structure.sampleSize = [8]
    structure.downBlockTypes = [.plain, .attention]
    structure.upBlockTypes = [.attention, .plain]
    return structure
  }

  static func unconditional(_ process: ProcessConfiguration = .init()) throws -> PixelModel {
    PixelModel(
      network: try UNet(structure, seed: 0),
      configuration: PixelModelConfiguration(model: structure, process: process))
  }

  /// Three classes and the empty one.
  static func classes() throws -> PixelModel {
    var structure = structure
    structure.numClassEmbeds = 4
    return PixelModel(
      network: try UNet(structure, seed: 0),
      configuration: PixelModelConfiguration(model: structure))
  }
}

/// A folder that is gone when the test is done.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ text: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }
}

extension PixelModel {
  /// Writes the model as the exporting of a training run does.
  func export(to path: String, prefix: String = "") throws {
    let json = try JSONEncoder().encode(configuration)
    var writer = CheckpointWriter(metadata: [
      "configuration": String(decoding: json, as: UTF8.self)
    ])
    network.save(to: &writer, under: prefix)
    try writer.write(to: path)
  }
}

import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers
import TestSupport
import Testing

@Suite struct UNetFilesTests {
  private static let source = Shared.golden.appendingPathComponent("unet_learned").path
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("unet-files-\(UUID().uuidString)").path

  private func load(_ folder: String) throws -> UNet {
    var unknown: [String] = []
    return try UNet(folder: folder, unknownKeys: &unknown)
  }

  /// Writes the golden's parameters again, changed by `change`, beside its configuration.
  private func write(_ change: (String, Tensor) -> (String, Tensor)?) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: Self.source + "/" + UNet.configurationFile,
      toPath: folder + "/" + UNet.configurationFile)
    let file = try SafetensorsFile(path: Self.source + "/" + UNet.parametersFile)
    var writer = CheckpointWriter()
    for entry in file.entries {
      let tensor = try file.tensor(named: entry.name)
      if let (name, changed) = change(entry.name, tensor) { writer.add(name, changed) }
    }
    try writer.write(to: folder + "/" + UNet.parametersFile)
  }

  private func problem() -> String {
    do {
      _ = try load(folder)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func savingAfterLoadingGivesTheSameBytes() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let network = try load(Self.source)
    try network.save(folder: folder)
    let written = FileManager.default.contents(atPath: folder + "/" + UNet.parametersFile)
    #expect(
      written == FileManager.default.contents(atPath: Self.source + "/" + UNet.parametersFile))
    #expect(try load(folder).configuration == network.configuration)
  }

  @Test func oldNamesOfAttentionAreRead() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write { name, tensor in
      let old = [
        ".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn.",
      ]
      return (old.reduce(name) { $0.replacing($1.key, with: $1.value) }, tensor)
    }
    let (found, expected) = (try load(folder), try load(Self.source))
    for (a, b) in zip(found.parameters(), expected.parameters()) {
      #expect(a.tensor.floats == b.tensor.floats, "\(a.name)")
    }
  }

  @Test func halfPrecisionIsWidened() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write { ($0, $1.converted(to: .float16)) }
    let network = try load(folder)
    #expect(network.parameters().allSatisfy { $0.tensor.dtype == .float32 })
  }

  @Test func faultsAreReportedWithNamesAndShapes() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write { name, tensor in
      switch name {
      case "conv_in.bias": nil
      case "conv_out.bias": ("conv_out.bias", Tensor.zeros([4]))
      case "conv_out.weight": ("conv_out.wait", tensor)
      default: (name, tensor)
      }
    }
    let message = problem()
    #expect(message.contains(UNet.parametersFile))
    #expect(message.contains(#"missing "conv_in.bias" of shape [12]"#))
    #expect(message.contains(#""conv_out.bias": expected shape [3], found [4]"#))
    #expect(message.contains(#"unexpected "conv_out.wait" of shape [3, 12, 3, 3]"#))
  }

  @Test func missingFilesAreNamed() {
    #expect(problem().hasPrefix(folder + "/config.json: cannot be read"))
  }

  @Test func aFaultLeavesTheModuleAsItWas() throws {
    var network = try load(Self.source)
    let before = network.parameters().map { $0.tensor.floats }
    let other = Shared.golden.appendingPathComponent("unet_attention/" + UNet.parametersFile)
    let file = try SafetensorsFile(path: other.path)
    #expect(throws: CheckpointError.self) { try network.load(from: file) }
    #expect(network.parameters().map { $0.tensor.floats } == before)
  }
}

import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

extension ModelLocation {
  /// Reads the autoencoder whose latents the model draws, where its folder has one (`vqvae/`: the unconditional models of Rombach et
  /// al. 2022); `nil` for a model of pixels.
  ///
  /// - Parameter notes: gets a line for everything that was found and left aside.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public func decoder(notes: inout [String]) throws(PipelineError) -> VQAutoencoder? {
    guard case .path(let path) = self,
      FileManager.default.fileExists(atPath: path + "/vqvae/config.json")
    else { return nil }
    let part = PartFolder(path: path + "/vqvae", variant: nil)
    let configuration = try part.configuration(
      AutoencoderConfiguration.self, known: AutoencoderConfiguration.keys, notes: &notes)
    let source = try part.parameters()
    var unset = ParameterInitializer.unset
    var autoencoder = VQAutoencoder(configuration, initializer: &unset)
    do throws(CheckpointError) {
      try autoencoder.load(from: source)
    } catch {
      throw .model(.checkpoint(error))
    }
    return autoencoder
  }
}

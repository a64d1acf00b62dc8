import java.nio.file.*;
import java.util.concurrent.*;
import java.util.stream.*;

public class Main {
    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        Future<Integer> later = pool.submit(() -> IntStream.rangeClosed(1, 100).sum());
        long parallel = LongStream.range(0, 1_000_000).parallel().filter(n -> n % 7 == 0).count();
        Files.writeString(Path.of("file"), "text");
        try (var channel = java.nio.channels.FileChannel.open(Path.of("file"), StandardOpenOption.WRITE); var lock = channel.lock()) {
            Process child = new ProcessBuilder("/bin/echo", "child").start();
            String said = new String(child.getInputStream().readAllBytes()).trim();
            System.out.println(later.get() + " " + parallel + " " + Files.readString(Path.of("file")) + " " + said);
        }
        pool.shutdown();
    }
}

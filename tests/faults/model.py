def run(steps):
    return 0, 0
